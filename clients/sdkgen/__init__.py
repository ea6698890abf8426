"""The SDK generator: the OpenAPI document in, `backhaul_client/_generated` out. Run `python -m clients.sdkgen`."""
