# From the logs of `make test` and of tox: how each test run closed, by name, and the sum at the very end.
FNR == 1 { run = FILENAME; sub(/.*\//, "", run); sub(/\.log$/, "", run) }
/^[a-z0-9-]+: commands\[[0-9]+\]> / { run = $1; sub(/:$/, "", run) }
/^NOT RUN: / || /^  [a-z0-9-]+: (OK|FAIL|SKIP)/ { print }
/^=+ .*(passed|failed|skipped|error|no tests ran).* in [0-9.]+s/ {
    print run ": " $0
    for (field = 2; field <= NF; field++) {
        word = $field
        gsub(/[^a-z]/, "", word)
        count[word] += $(field - 1)
    }
}
END {
    failed = count["failed"] + count["error"] + count["errors"]
    printf "%d passed, %d failed, %d skipped\n", count["passed"], failed, count["skipped"] + count["xfailed"]
}
