# Ruby's users in a folder; README.md says what is common to all interpreters.
#
# Leaves besides: `people.yml`, ages by name; `store.yml`, the same in a YAML::Store; `copy/`, a copy of `folder/`;
# nothing of the temporary file.

require 'csv'
require 'fileutils'
require 'json'
require 'tempfile'
require 'yaml'
require 'yaml/store'

def ok(fact)
  puts "ok #{fact}"
end

def same(expected, value)
  raise "#{value.inspect} is not #{expected.inspect}" unless value == expected
end

def fails(error)
  yield
rescue error
  true
else
  raise "it did not fail with #{error}"
end

same ['input.csv'], Dir.children('/local')
ok 'list'

people = CSV.foreach('/local/input.csv', headers: true).map { |row| [row['name'], row['age'].to_i] }
same [['ada', 36], ['grace', 45]], people
ok 'read'

File.write('/local/notes.txt', "one\n")
File.write('/local/people.json', JSON.generate(people))
same "one\n", File.read('/local/notes.txt')
ok 'write'

File.open('/local/notes.txt', 'a') { |file| file.puts 'two' }
same "one\ntwo\n", File.read('/local/notes.txt')
ok 'append'

File.open('/local/notes.txt', 'r+') { |file| file.write 'O' }
same "One\ntwo\n", File.read('/local/notes.txt')
ok 'update'

status = File.stat('/local/notes.txt')
same [true, 8], [status.file?, status.size]
same true, File.directory?('/local')
ok 'stat'

FileUtils.mkdir_p '/local/folder/inner'
same ['inner'], Dir.children('/local/folder')
ok 'make-directories'

File.rename '/local/notes.txt', '/local/folder/inner/moved.txt'
same false, File.exist?('/local/notes.txt')
same "One\ntwo\n", File.read('/local/folder/inner/moved.txt')
ok 'rename'

fails(Errno::ENOENT) { File.open '/local/notes.txt' }
ok 'missing'

fails(Errno::ENOTEMPTY) { Dir.rmdir '/local/folder' }
ok 'not-empty'

FileUtils.touch '/local/gone.txt'
File.delete '/local/gone.txt'
same ['folder', 'input.csv', 'people.json'], Dir.children('/local').sort
ok 'remove'

FileUtils.mkdir_p '/local/gone/too'
FileUtils.rm_r '/local/gone'
same false, Dir.exist?('/local/gone')
ok 'remove-directories'

same [%w[name age], %w[ada 36], %w[grace 45]], CSV.read('/local/input.csv')
ok 'csv'

FileUtils.cp_r '/local/folder', '/local/copy'
same true, FileUtils.identical?('/local/folder/inner/moved.txt', '/local/copy/inner/moved.txt')
ok 'fileutils'

same ['copy/inner/moved.txt', 'folder/inner/moved.txt'], Dir.glob('**/*.txt', base: '/local').sort
ok 'glob'

# YAML::Store locks its file first, and WASI has no locks.
class File
  def flock(*) = 0
end
store = YAML::Store.new('/local/store.yml')
store.transaction { store['ada'] = { 'age' => 36 } }
same({ 'age' => 36 }, YAML::Store.new('/local/store.yml').transaction(true) { |all| all['ada'] })
ok 'yaml-store-without-locks'

File.write('/local/people.yml', people.to_h.to_yaml)
same({ 'ada' => 36, 'grace' => 45 }, YAML.load_file('/local/people.yml'))
ok 'yaml'

path = Tempfile.create('x', '/local') do |file|
  file.write 'x' * 100_000
  file.flush
  same 100_000, File.size(file.path)
  file.path
end
same false, File.exist?(path)
ok 'tempfile'
