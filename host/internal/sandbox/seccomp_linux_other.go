//go:build linux && !amd64 && !arm64

package sandbox

import "errors"

func filter(order) error { return errors.ErrUnsupported }
