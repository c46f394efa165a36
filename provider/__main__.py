"""The plugin of this library's components, as the engine starts it from this folder."""

from jupyterhub_aws.provider.host import serve

serve()
