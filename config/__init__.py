"""What a stack may say: models, versions, data tables. No Pulumi, no network, no I/O at import."""
