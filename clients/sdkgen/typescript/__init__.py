"""The TypeScript half of the generator: the OpenAPI document in, `clients/typescript/src/generated` out."""
