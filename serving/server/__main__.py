"""`python -m serving.server --port=8500 --model_name=tfrec --model_base_path=/path/to/export`."""

from serving.server.main import main

if __name__ == "__main__":
    raise SystemExit(main())
