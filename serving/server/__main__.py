"""`python -m tfrec.serving.server --port=8500 --model_name=tfrec --model_base_path=/path/to/export`."""

from tfrec.missing_packages import exit_with, packages_for

if __name__ == "__main__":
    with packages_for("the server", exit_with):
        from tfrec.serving.server.main import main

        raise SystemExit(main())
