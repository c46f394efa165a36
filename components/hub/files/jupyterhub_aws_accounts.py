"""Accounts of the hub's own: jupyterhub-nativeauthenticator 1.3.0, in which nobody can take an
administrator's name.

A file of the hub's own pod, beside the chart's configuration. Upstream admits whoever signs up
first under an administrator's name, and as an administrator. So here their accounts exist from the
hub's first start, with a password that the stack made.
"""

from __future__ import annotations

from nativeauthenticator import NativeAuthenticator
from traitlets import Unicode


class AccountsAuthenticator(NativeAuthenticator):
    """Everything that upstream knows stands under `NativeAuthenticator`, what is new here under
    this class.
    """

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
