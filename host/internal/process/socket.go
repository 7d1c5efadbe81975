package process

import "os"

// A socket's path may have 103 bytes (macOS) or 107 (Linux). go-plugin needs
// 17 of them below our directory, and our directory's own name 14.
const longestTempDir = 103 - 17 - 14

// socketDir makes a directory that nobody else may enter, for the socket and
// the temporary files of one process. A process that is killed leaves its
// socket behind; it goes with the directory.
func socketDir() (string, error) {
	if base := os.TempDir(); len(base) <= longestTempDir {
		return os.MkdirTemp(base, "pb")
	}
	return os.MkdirTemp("/tmp", "pb")
}

// socketEnv points every age of go-plugin to dir: plugins from before 2023
// know TMPDIR only.
func socketEnv(dir string) []string {
	return []string{"PLUGIN_UNIX_SOCKET_DIR=" + dir, "TMPDIR=" + dir}
}
