"""`python -m serving.server --port=8500 --model_name=tfrec --model_base_path=/path/to/export`."""

from tfrec.missing_packages import missing_package


def run() -> int:
    """Runs the server, or says what to install where only the client is."""
    try:
        from serving.server.main import main

        return main()
    except ModuleNotFoundError as error:
        message = missing_package(error, "the server")
        if message is None:
            raise
        raise SystemExit(f"error: {message}") from None


if __name__ == "__main__":
    raise SystemExit(run())
