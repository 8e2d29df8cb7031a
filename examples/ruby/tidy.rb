# Sorts the files that lie beside it into folders by the month they are from, and keeps a list of what it moved.
# `--undo` puts them back. It has never heard of mountfs.

require 'csv'
require 'fileutils'

HERE = __dir__
LIST = File.join(HERE, 'tidied.csv')
MINE = [__FILE__, LIST].map { |path| File.basename(path) }

def tidy
  files = Dir.children(HERE).sort.reject { |name| name.start_with?('.') || MINE.include?(name) }
  moves = files.filter_map do |name|
    path = File.join(HERE, name)
    next unless File.file?(path) && !File.symlink?(path)

    to = File.join(File.mtime(path).strftime('%Y-%m'), name)
    [name, to] unless File.exist?(File.join(HERE, to))
  end
  return puts('Everything is tidy.') if moves.empty?

  # The list first: whatever ends this, nothing is moved that it does not name.
  CSV.open(LIST, 'a') { |list| moves.each { |move| list << move } }
  moves.each { |from, to| move(from, to) }
end

def undo
  moves = File.exist?(LIST) ? CSV.read(LIST) : []
  return puts('Nothing was tidied.') if moves.empty?

  # The last first, as files of one name may have come one after another.
  kept = moves.reverse.reject { |from, to| move(to, from) }
  months = moves.map { |_, to| File.join(HERE, File.dirname(to)) }.uniq
  months.each { |month| Dir.rmdir(month) if Dir.exist?(month) && Dir.empty?(month) }
  kept.empty? ? File.delete(LIST) : CSV.open(LIST, 'w') { |list| kept.reverse_each { |move| list << move } }
end

# Whether it is there now. What has taken its place is not overwritten.
def move(from, to)
  source, target = [from, to].map { |path| File.join(HERE, path) }
  return true unless File.exist?(source)
  return false if File.exist?(target)

  FileUtils.mkdir_p(File.dirname(target))
  File.rename(source, target)
  puts "#{from} -> #{to}"
  true
end

ARGV == ['--undo'] ? undo : tidy
