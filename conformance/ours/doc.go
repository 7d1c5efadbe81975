// Package ours judges plugins on our SDK by the official SDK: its client side
// starts them as real processes and makes every call.
package ours
