"""The checks of `jhub plan` as a Pulumi policy pack: one implementation, enforced where `pulumi
up --policy-pack policy` runs.
"""
