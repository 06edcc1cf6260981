"""botkit: a retrieval-based self-service chatbot and FAQ search over an editor's own markdown."""

__version__ = "0.1.0"
