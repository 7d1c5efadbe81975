//go:build !linux

package process

import "os"

func peakRSS(*os.ProcessState) int64 { return 0 }

func oomKills() int { return 0 }
