"""The window to write on, for machines where no browser is wanted."""
