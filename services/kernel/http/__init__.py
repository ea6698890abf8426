"""The HTTP face of the kernel: unit-of-work routes, problem documents, pure ASGI middleware, request and response bases."""
