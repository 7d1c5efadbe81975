import type { Plugin } from '../api/types.ts'

/** Who vouches for a plugin, in words. */
export function signatureOf({ signature, signatureOrg, signatureType }: Plugin): string {
  switch (signature) {
    case 'internal': return 'comes with the server'
    case 'remote': return 'runs elsewhere: its files are not seen here'
    case 'valid': return `signed${signatureOrg && ` by ${signatureOrg}`}${signatureType && ` (${signatureType})`}`
    case 'unsigned': return 'not signed'
    case 'modified': return 'changed since it was signed'
    default: return signature
  }
}
