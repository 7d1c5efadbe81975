// Zip files of folders, as a release of a plugin is packed.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'

/** A zip file of what is in a folder, not compressed. */
export function zip(folder: string): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(path.join(folder, name)).isFile())
  for (const name of names) {
    const content = readFileSync(path.join(folder, name))
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0) // the version that it takes
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(content.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(Buffer.byteLength(name), 22)
    files.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), content)
    const attributes = Buffer.alloc(14)
    attributes.writeUInt32LE(((statSync(path.join(folder, name)).mode & 0xffff) << 16) >>> 0, 6)
    attributes.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x03'), common, attributes, Buffer.from(name)) // made on Unix
    offset += 4 + common.length + Buffer.byteLength(name) + content.length
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(names.length, 4)
  end.writeUInt16LE(names.length, 6)
  end.writeUInt32LE(size, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...files, ...directory, Buffer.from('PK\x05\x06'), end])
}
