"""The TypeScript client, compiled and run by Node as a partner would; its tests in JavaScript stand in `programs/`."""
