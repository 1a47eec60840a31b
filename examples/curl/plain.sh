#!/bin/sh
# A plain create of any HTTP client, without `background`. It waits for the outcome and prints it.
set -eu
url=${1:-http://127.0.0.1:3000/v1}

# A server with sign-in needs HEADSTONE_API_KEY. The header is not needed where HEADSTONE_UPGRADE=1.
ask() {
  curl --silent --show-error --fail-with-body \
    --header "authorization: Bearer ${HEADSTONE_API_KEY:-any}" --header 'content-type: application/json' \
    --header 'x-headstone-upgrade: 1' "$url/responses" "$@"
}
ask --data '{"model":"gpt-5.5","input":"Write a report on tides"}' |
  grep -o '"text":"[^"]*"' | head -n 1 | sed 's/"text":"\(.*\)"/report: \1/'

# Whoever hangs up cancels: the job ends, at the provider too, and what it costs all the same is booked as waste.
ask --max-time 1 --data '{"model":"gpt-5.5","input":"Something else"}' >/dev/null 2>&1 || echo 'unwanted: aborted'
