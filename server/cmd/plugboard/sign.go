package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/signing"
	"github.com/plugboard/plugboard/server/config"
)

func newPluginKeygen() *cobra.Command {
	var password string
	cmd := &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make a pair of keys to sign plugins with",
		Long: `Keygen writes NAME.key, the secret key to sign plugins with, and NAME.pub, the
public key for servers to trust. They are Ed25519 keys in the form of minisign,
which can use them too.`,
		Example: `  plugboard plugin keygen acme`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readPassword(cmd, password)
			if err != nil {
				return err
			}
			secret, public, err := signing.NewKey(text)
			if err != nil {
				return failed("make keys: %w", err)
			}
			if err := writeNew(args[0]+".key", secret, 0o600); err != nil {
				return err
			}
			if err := writeNew(args[0]+".pub", public, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s.key, to keep secret, and %s.pub\n", args[0], args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&password, "password-file", "", "`file` with a password to encrypt the secret key with, - for standard input (default: it is not encrypted)")
	return cmd
}

// writeNew refuses to replace a file: it may be the only copy of a key.
func writeNew(name string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return misused("%w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return failed("%w", err)
	}
	return nil
}

func readPassword(cmd *cobra.Command, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := readSecret(file, cmd.InOrStdin())
	if err != nil {
		return "", misused("--password-file: %w", err)
	}
	return text, nil
}

func newPluginSign() *cobra.Command {
	var key, password, keyID string
	var rootURLs []string
	cmd := &cobra.Command{
		Use:   "sign DIR",
		Short: "Sign the files of a plugin",
		Long: `Sign writes into the plugin's folder what files it has, and a signature of that.
Servers that trust the key run the plugin as long as its files are these. If you
change one, sign again.

With --openpgp it prints what is to be signed instead, for you to clear-sign with
an OpenPGP key and put into the folder as MANIFEST.txt.`,
		Example: `  plugboard plugin sign ./release --key acme.key
  plugboard plugin sign ./release --openpgp 0123456789abcdef`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyID != "" {
				text, err := signing.Manifest(args[0], keyID, rootURLs)
				if err != nil {
					return misused("%w", err)
				}
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			if key == "" {
				return misused("--key names the file with the secret key; plugboard plugin keygen makes one")
			}
			secret, err := os.ReadFile(key)
			if err != nil {
				return misused("--key: %w", err)
			}
			text, err := readPassword(cmd, password)
			if err != nil {
				return err
			}
			folder, err := signing.Sign(args[0], secret, text, rootURLs)
			if err != nil {
				return misused("%w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "signed %s\n", folder)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "`file` with the secret key, of keygen or minisign")
	cmd.Flags().StringVar(&password, "password-file", "", "`file` with the password of the key, - for standard input")
	cmd.Flags().StringArrayVar(&rootURLs, "root-url", nil, "`URL` of a server that the signature is good for, and no others; may be repeated")
	cmd.Flags().StringVar(&keyID, "openpgp", "", "print what to sign with the OpenPGP key of this `id`")
	return cmd
}

func newPluginVerify() *cobra.Command {
	var keys []string
	var file string
	var o output
	cmd := &cobra.Command{
		Use:   "verify DIR...",
		Short: "Say whether plugins are as somebody trusted has signed them",
		Long: `Verify checks the signatures of the plugins in folders, and every file of theirs,
as a server with the same configuration does at start. The exit code is 1 unless
all are valid. Without --key and --config, Grafana Labs are trusted.`,
		Example: `  plugboard plugin verify ./release --key acme.pub`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			c, err := trusting(file, keys)
			if err != nil {
				return err
			}
			for _, dir := range args {
				if _, err := os.Stat(dir); err != nil {
					return misused("%w", err)
				}
			}
			c.PluginDirs = args
			h, err := host.New(c)
			if err != nil {
				return misused("%w", err)
			}
			return o.printVerdicts(cmd, verdicts(h))
		},
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "`file` with a public key to trust, in place of the configuration's; may be repeated")
	cmd.Flags().StringVar(&file, "config", "", "configuration `file` of the server (default plugboard.yaml, if there is one)")
	o.register(cmd.Flags())
	return cmd
}

// trusting is for a host that trusts these keys with everything, or what the
// configuration says.
func trusting(file string, keys []string) (host.Config, error) {
	if len(keys) == 0 {
		c, err := config.Load(file, os.Environ(), nil)
		if err != nil {
			return host.Config{}, misused("%w", err)
		}
		return host.Config{TrustedKeys: c.Trust, RootURL: c.RootURL}, nil
	}
	var c host.Config
	for _, name := range keys {
		text, err := os.ReadFile(name)
		if err != nil {
			return c, misused("--key: %w", err)
		}
		stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		c.TrustedKeys = append(c.TrustedKeys, host.TrustedKey{Name: stem, Key: string(text), Plugins: []string{"*"}})
	}
	return c, nil
}

// verdict is what was found out about a plugin.
type verdict struct {
	ID        string         `json:"id"`
	Version   string         `json:"version"`
	Signature host.Signature `json:"signature"`
	SignedBy  string         `json:"signedBy"`
	Reason    string         `json:"reason"`
}

func verdicts(h *host.Host) []verdict {
	var list []verdict
	for _, p := range h.Plugins() {
		list = append(list, verdict{p.Manifest.ID, p.Manifest.Info.Version, p.Signature, p.Signer.Org, ""})
	}
	for _, f := range h.Faults() {
		list = append(list, verdict{f.PluginID, "", f.Signature, "", f.Error()})
	}
	return list
}

func (o output) printVerdicts(cmd *cobra.Command, list []verdict) error {
	answer, err := json.Marshal(list)
	if err != nil {
		return failed("%w", err)
	}
	err = o.print(cmd.OutOrStdout(), answer,
		textColumn("id", list, func(v verdict) string { return v.ID }),
		textColumn("version", list, func(v verdict) string { return v.Version }),
		textColumn("signature", list, func(v verdict) string { return string(v.Signature) }),
		textColumn("signed by", list, func(v verdict) string { return v.SignedBy }),
		textColumn("reason", list, func(v verdict) string { return firstLine(v.Reason) }))
	if err != nil {
		return err
	}
	bad := 0
	for _, v := range list {
		if v.Signature != host.SignatureValid {
			bad++
		}
	}
	switch {
	case len(list) == 0:
		return misused("there is no plugin.json")
	case bad > 0:
		return failed("%d of %d plugins not verified", bad, len(list))
	}
	return nil
}
