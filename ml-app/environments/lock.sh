#!/bin/sh
# Compiles every *.in of the Python side to a hash-checked lock file that fits Python 3.11 and 3.12
# on every platform. Pass --upgrade to move what is not pinned by hand.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
lock() { # lock SOURCE TARGET [CONSTRAINTS [OVERRIDES]]
    "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
        --overrides "environments/${4:-overrides.txt}" --only-binary :all: \
        --custom-compile-command 'npm run lock' ${3:+--constraints "$3"} $upgrade "$1" --output-file "$2"
}
upgrade=${1:-}
lock environments/uv.in environments/uv.txt
# The larger set is resolved first, and its subset taken from it: an image and the local target run the same versions.
lock environments/tracking-dev.in environments/tracking-dev.txt
lock environments/tracking.in environments/tracking.txt environments/tracking-dev.txt
lock environments/serving-dev.in environments/serving-dev.txt
lock environments/mlserver-dev.in environments/mlserver-dev.txt "" mlserver-overrides.txt
lock environments/mlserver.in environments/mlserver.txt environments/mlserver-dev.txt mlserver-overrides.txt
lock environments/mlserver-mlflow.in environments/mlserver-mlflow.txt "" mlserver-overrides.txt
lock environments/any-model.in environments/any-model.txt "" model-server-overrides.txt
lock environments/xgboost-next.in environments/xgboost-next.txt
lock environments/envoy.in environments/envoy.txt
lock environments/frontend-dev.in environments/frontend-dev.txt
lock frontend/requirements.in frontend/requirements.txt environments/frontend-dev.txt
lock mlflow_server/requirements.in mlflow_server/requirements.txt "" model-server-overrides.txt
for manifest in */model.json; do
    model=${manifest%/model.json}
    if [ -d "$model/serve" ]; then
        lock "$model/train/requirements.in" "$model/train/requirements.txt" environments/tracking.txt
        lock "$model/serve/requirements.in" "$model/serve/requirements.txt" environments/serving-dev.txt serving-overrides.txt
    else # a standard server serves it
        lock "$model/train/requirements.in" "$model/train/requirements.txt" environments/mlserver.txt
    fi
done
for manifest in */unit.json; do
    unit=${manifest%/unit.json}
    lock "$unit/requirements.in" "$unit/requirements.txt" environments/serving-dev.txt serving-overrides.txt
done
