"""The hub's own accounts: jupyterhub-nativeauthenticator 1.3.0, but an administrator's name cannot
be claimed by sign-up.

A file of the hub's own pod, beside the chart's configuration. Upstream approves the first user who
signs up under an administrator's name, as an administrator. So here their accounts exist from the
hub's first start, with a password that the stack made.
"""

from __future__ import annotations

from nativeauthenticator import NativeAuthenticator
from traitlets import Unicode


class AccountsAuthenticator(NativeAuthenticator):
    """Upstream's traits are configured under `NativeAuthenticator`, new ones under this class."""

    admin_password = Unicode(
        config=True, help="The first password of every administrator. A changed one stays changed."
    )

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        for name in sorted(self.admin_users):
            if (
                self.admin_password
                and not self.user_exists(name)
                and self.create_user(name, self.admin_password) is None
            ):
                raise ValueError(
                    f"the account of administrator {name} could not be made: its password is not"
                    " strong enough, or its name not allowed"
                )
