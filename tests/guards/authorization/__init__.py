"""Who gets which answer from which operation: the committed matrix, and what it may never say."""
