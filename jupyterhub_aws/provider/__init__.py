"""The components as a Pulumi package: for programs in TypeScript, Go, C#, Java and YAML
(docs/other-languages.md).
"""
