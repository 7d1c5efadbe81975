//go:build !linux

package process

import (
	"errors"
	"os"
	"time"
)

func peakRSS(*os.ProcessState) int64 { return 0 }

func oomKills() int { return 0 }

// Usage is known on Linux only.
func Usage(int) (cpu time.Duration, memory int64, err error) { return 0, 0, errors.ErrUnsupported }
