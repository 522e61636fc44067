export const HELP = `Usage: photo-indexer [index] [<folder>] [options]
       photo-indexer search <folder> <word>…   photos of its index that all words fit: labels (red, orange,
                                               yellow, green, blue, violet, pink, monochrome, dark, bright),
                                               or parts of the path, the camera or the date
       photo-indexer sample [<folder>]      draw the sample album, and stop
       photo-indexer model <file.onnx>      write the built-in model to a file

Finds every photo below a folder, hashes it, makes a thumbnail and an embedding, and keeps a catalog of them:
exact duplicates, near duplicates, broken files, and a contact sheet to look at. Without a folder it draws a
sample album first and indexes that. A second run reads only what has changed. Nothing in the folder is touched.

Ctrl-C stops a run within a second. The published index stays as it was, and what is finished is kept for the
next run; the same holds if the process is killed.

Options
  -o, --out <folder>      where the index goes (default: .threadmill/<album>-<hash> in the working folder)
      --json              print one JSON object on standard output instead of the summary
  -q, --quiet             no progress on standard error
  -t, --threads <n>       threads to work with (default: one per core; 0: all on the main thread)
      --near <0..1>       likeness from which two photos are near duplicates (default: the model's own)
      --retry-failed      try files again that were found broken before
      --accept-vanished   publish although many photos of the last index are gone from the folder
  -h, --help              this text

Another model (any ONNX image encoder; settings can also stand in <file.onnx>.json)
  -m, --model <file>      the model to use instead of the built-in one
      --model-size <n>    side of the square picture that it is shown (default: 224)
      --model-scale <x>   a byte becomes (byte × scale − mean) ÷ deviation (default: 1/255)
      --model-mean <x>[,<y>,<z>]       one number, or red, green, blue (default: 0)
      --model-deviation <x>[,<y>,<z>]  one number, or red, green, blue (default: 1)
      --model-layout <NCHW|NHWC>       order of its dimensions (default: as it says itself)
      --model-channels <RGB|BGR>       order of its colours (default: RGB)
      --model-input <name>, --model-output <name>

Caches
  All that is true of a photo's content is kept in the index folder, by its hash: a photo that was moved or renamed is not
  computed again. Hashes, thumbnails, vectors and EXIF lie in catalog.sqlite and thumbs/, labels in labels.cache. Delete
  labels.cache, or the whole index folder, while no run is at work, and the next run makes it again. Limits of the labels:
  THREADMILL_CACHE_MAX_SIZE (50000), THREADMILL_CACHE_MAX_MEMORY_MB (64), THREADMILL_CACHE_TTL_SECONDS (none),
  THREADMILL_CACHE_DISABLED (1: keep none)

Exit codes: 0 done, also with broken files; 1 failed; 2 wrong usage; 130 interrupted
`;
