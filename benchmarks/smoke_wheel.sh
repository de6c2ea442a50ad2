#!/usr/bin/env bash
# Installs the built wheel in empty environments in another folder and uses it there as a user would: the client alone,
# then the demo shop for a minute, a server and a query.  smoke_wheel.sh DIST CONSTRAINTS [PYTHON]
set -euo pipefail
dist=$(cd "$1" && pwd) constraints=$(realpath "$2") python=${3:-python3}
wheel=$(ls "$dist"/tfrec_shop-*.whl)
home=$(mktemp -d)
server=""
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$home"; }
trap cleanup EXIT
cd "$home"

"$python" -m venv client
client/bin/pip install --quiet --constraint "$constraints" "$wheel"
"$python" -m venv whole
whole/bin/pip install --quiet --constraint "$constraints" "${wheel}[all]"

echo "== help"
whole/bin/tfrec --help >/dev/null
echo "== a minute of the demo shop, by the configuration in the wheel"
whole/bin/tfrec train --config demo --set training.max_minutes=1
export_folder=$(ls -d runs/demo/export/[0-9]* | sort -V | tail -n 1)
test -f "$export_folder/saved_model.pb"
echo "== serve, and ask by the client alone (no TensorFlow in its environment)"
whole/bin/tfrec serve --config demo --port 18500 >server.log 2>&1 &
server=$!
client/bin/python - <<'PYTHON'
import importlib.util, time
from tfrec.serving.client import Client, ClientError

assert importlib.util.find_spec("tensorflow") is None
with Client("127.0.0.1:18500", timeout=20) as client:
    for attempt in range(120):
        try:
            hits = client.search(["red leather sofa"], k=5)[0]
            break
        except ClientError as error:
            if error.code not in ("UNAVAILABLE", "NOT_FOUND"):
                raise
            time.sleep(1)
    else:
        raise SystemExit("the server did not answer within two minutes")
print("\n".join(f"{hit.item_id} {hit.score:.3f}" for hit in hits))
assert len(hits) == 5
PYTHON
echo "the wheel works"
