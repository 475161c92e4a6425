#!/bin/bash
#
# Fetches the stack's settings and checks them. They travel with the release, so that a rollback returns to its own.
#
# Reads: the environment that environment.sh lists

set -euo pipefail

# shellcheck source=environment.sh
source "${BASH_SOURCE[0]%/*}/environment.sh"

# shellcheck source=../hooks/lib/settings.sh
source "$SCRIPTS/hooks/lib/settings.sh"

# In the background, so that SIGTERM ends it too: bash waits for foreground commands.
aws s3api get-object --region "$AWS_REGION" --bucket "${SETTINGS%%/*}" --key "${SETTINGS#*/}" "$WORK/settings" \
  >"$WORK/answer" 2>&1 &
wait "$!" || die "the stack's settings, s3://$SETTINGS, cannot be read: $(tr '\n' ' ' <"$WORK/answer")"

(read_settings "$WORK/settings") 2>"$WORK/wrong" ||
  die "the stack's settings, s3://$SETTINGS, which pulumi up writes: $(<"$WORK/wrong")"
mv "$WORK/settings" "$STACK_SETTINGS"
