package process

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"

	"github.com/plugboard/plugboard/internal/bytepool"
)

// window is how much of an answer nobody has asked for yet may be under way.
// Larger ones make nothing faster, and 64 callers fill them all.
const window = 64 << 10

// dialOptions are those of one connection.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithUnaryInterceptor(noteUnary),
		grpc.WithStreamInterceptor(noteStream),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(connWindow),
		grpc.WithDisableRetry(), // we know ourselves what may be asked again
		experimental.WithBufferPool(new(bytepool.Pool)),
	}
}

// connWindow is for all calls of a connection together. What has come is
// acknowledged at once, read or not, so it bounds nothing; it only has to be
// large enough not to make a plugin wait.
const connWindow = 1 << 20
