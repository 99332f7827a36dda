"""The smallest command line one would write with Typer, for comparison: two commands with an option each."""

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def greet(name: str, loudly: bool = typer.Option(False, help="Say it in capitals.")) -> None:
    """Greet somebody."""
    typer.echo(f"Hello {name}".upper() if loudly else f"Hello {name}")


@app.command()
def count(until: int = typer.Option(10, help="Where to stop.")) -> None:
    """Count from one."""
    for number in range(1, until + 1):
        typer.echo(number)


if __name__ == "__main__":
    app()
