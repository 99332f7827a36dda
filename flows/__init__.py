"""What a Telegram client does to open a Mini App, one file per documented flow."""
