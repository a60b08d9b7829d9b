# shellcheck shell=bash
# Runs once around the files of this directory: what they share, and the host before and after, is
# that of rt's own tests.

# shellcheck source=tests/bats/setup_suite.bash
source "$(dirname "${BASH_SOURCE[0]}")/../bats/setup_suite.bash"
