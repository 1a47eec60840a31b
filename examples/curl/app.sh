#!/bin/sh
# The steps of any HTTP client: create, retrieve until the response has ended, cancel.
set -eu
url=${1:-http://127.0.0.1:3000/v1}

# A server with sign-in needs HEADSTONE_API_KEY.
ask() {
  curl --silent --show-error --fail-with-body \
    --header "authorization: Bearer ${HEADSTONE_API_KEY:-any}" --header 'content-type: application/json' "$@"
}
# Prints an answer only if it is an error.
quietly() {
  answer=$("$@") || { echo "$answer" >&2; exit 1; }
}
create() {
  ask "$url/responses" --data "{\"model\":\"gpt-5.5\",\"input\":\"$1\",\"background\":true,\"headstone\":{\"id\":\"$2\"}}"
}
status() {
  ask "$url/jobs/$1" | grep -o '"status":"[a-z]*"' | head -n 1 | cut -d '"' -f 4
}

report=report-$$
quietly create 'Write a report on tides' "$report"
while state=$(status "$report"); [ "$state" = queued ] || [ "$state" = launching ] || [ "$state" = running ]; do sleep 0.2; done
echo "report: $state"

unwanted=unwanted-$$
quietly create 'Something else' "$unwanted"
quietly ask "$url/responses/$unwanted/cancel" --data '{"reason":"wrong prompt","actor":"alice"}'
# The provider may complete it nevertheless, but nobody who reads it here sees that.
echo "unwanted: $(status "$unwanted")"
