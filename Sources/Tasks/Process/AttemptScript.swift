/// The shell that runs an attempt's commands in a session of its own, so that it outlives us.
///
/// Arguments: the attempt's directory, the commands' `PATH`, the commands. It claims the attempt by a hard link (one of several wins),
/// with its boot id, process id and start time in the file from the first moment on. After that one file is renamed: `running.N` while
/// command N runs, `result.N.CODE` at the end; renaming works on a full disk too. Exit code 75 means that it could not write that.
enum AttemptScript {
    /// The script's own exit code when it could not claim or record; `EX_TEMPFAIL` of sysexits.h.
    static let cannotRecord: Int32 = 75

    static let text = #"""
        reconciler_end=
        trap 'reconciler_end=143' TERM INT HUP QUIT
        reconciler_dir=$1 reconciler_path=$2
        shift 2
        read -r reconciler_boot < /proc/sys/kernel/random/boot_id && read -r reconciler_stat < "/proc/$$/stat" || exit 75
        printf '%s\n%s\n' "$reconciler_boot" "$reconciler_stat" > "$reconciler_dir/own.$$" || exit 75
        if ! ln "$reconciler_dir/own.$$" "$reconciler_dir/claim" 2> /dev/null; then
            rm -f "$reconciler_dir/own.$$"
            [ -e "$reconciler_dir/claim" ] && exit 0
            exit 75
        fi
        mv "$reconciler_dir/own.$$" "$reconciler_dir/running.1" || exit 75
        reconciler_n=0 reconciler_code=0
        for reconciler_command in "$@"; do
            reconciler_n=$((reconciler_n + 1))
            if [ "$reconciler_n" -gt 1 ]; then
                mv "$reconciler_dir/running.$((reconciler_n - 1))" "$reconciler_dir/running.$reconciler_n" || exit 75
            fi
            if [ -z "$reconciler_end" ]; then
                PATH=$reconciler_path /bin/sh -c "$reconciler_command"
                reconciler_code=$?
            fi
            reconciler_code=${reconciler_end:-$reconciler_code}
            [ "$reconciler_code" -eq 0 ] || break
        done
        mv "$reconciler_dir/running.$reconciler_n" "$reconciler_dir/result.$reconciler_n.$reconciler_code" || exit 75
        exit "$reconciler_code"
        """#
}
