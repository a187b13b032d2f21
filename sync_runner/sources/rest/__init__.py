"""The kind `rest`: an API that answers in JSON over HTTP, read page by page."""
