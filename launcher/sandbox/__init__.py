"""A Telegram data centre on the loopback."""
