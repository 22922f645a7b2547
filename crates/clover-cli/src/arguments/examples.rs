//! What the help of each command shows at its end.

/// A command by its words, and lines that can be typed as they are.
pub(super) type Examples = (&'static [&'static str], &'static [&'static str]);

/// Of every command that does something.
pub(super) const EXAMPLES: &[Examples] = &[
    (
        &["pretrain"],
        &[
            "clover pretrain --data pairs.csv --vocab auto --out runs/mine",
            "clover pretrain --data pairs.csv --vocab vocab.txt --out runs/mine --frames 4 epochs=10",
            "clover pretrain --data pairs.csv --vocab auto --out runs/mine --time 30m",
            "clover pretrain --data pairs.csv --vocab auto --out runs/rates --find-lr",
            "clover pretrain --out runs/mine --resume",
        ],
    ),
    (
        &["finetune"],
        &[
            "clover finetune retrieval-custom --data train.csv --bundle runs/mine --out runs/find",
            "clover finetune open-ended-custom --data train.jsonl --bundle runs/mine --out runs/qa epochs=5",
            "clover finetune --out runs/qa --resume",
        ],
    ),
    (
        &["evaluate"],
        &[
            "clover evaluate retrieval-custom --data test.csv --bundle runs/mine",
            "clover evaluate open-ended-custom --data test.jsonl --bundle runs/qa --out runs/qa-test",
        ],
    ),
    (
        &["index"],
        &[
            "clover index videos --index videos.index --bundle runs/mine",
            "clover index videos --index videos.index --clip CLIP-ViT-B-32",
            "clover index --index videos.index --follow",
        ],
    ),
    (
        &["ask"],
        &[
            "clover ask runs/qa a.mp4 \"what is he holding ?\"",
            "clover ask runs/mine a.mp4 \"what is it ?\" --choices \"a dog\" \"a cat\"",
            "clover ask videos.index \"who opens the door ?\"",
            "clover ask videos.index \"what is he playing ?\" --answers instruments.txt",
        ],
    ),
    (
        &["embed"],
        &["clover embed runs/mine videos --texts lines.txt --out rows.npy"],
    ),
    (
        &["search"],
        &[
            "clover search videos.index \"a dog runs\"",
            "clover search videos.index --like a.mp4@1:20-1:30 --top 3",
        ],
    ),
    (
        &["serve"],
        &[
            "clover serve --index videos.index --open",
            "clover serve --index videos.index --listen 0.0.0.0:7878 --token-file token --upload-dir sent",
        ],
    ),
    (
        &["demo"],
        &[
            "clover demo",
            "clover demo --quick --serve",
            "clover demo --out runs/again --seed 1 epochs=8",
            "clover demo --data clips --out runs/own --time 20m",
        ],
    ),
    (
        &["ablate"],
        &[
            "clover ablate --out runs/ablation",
            "clover ablate seeds=1 pretraining.epochs=2",
        ],
    ),
    (&["recipe", "list"], &["clover recipe list"]),
    (
        &["recipe", "show"],
        &[
            "clover recipe show pretrain",
            "clover recipe show pretrain epochs=8",
        ],
    ),
    (
        &["recipe", "check"],
        &["clover recipe check mine.toml", "clover recipe check --all"],
    ),
    (
        &["check-data"],
        &[
            "clover check-data pairs.csv",
            "clover check-data videos --frames all --json",
        ],
    ),
    (
        &["convert"],
        &[
            "clover convert train_qa.json --mapping youtube_mapping.txt --out train.jsonl",
            "clover convert --list-formats",
        ],
    ),
    (
        &["pack"],
        &["clover pack pairs.csv --out shards --frames 16"],
    ),
    (&["render"], &["clover render --out shapes --clips 1000"]),
    (
        &["weights", "import"],
        &[
            "clover weights import --video swin.pth --text bert-base-uncased --out bundles/public",
            "clover weights import --clip CLIP-ViT-B-32 --out bundles/clip",
        ],
    ),
    (
        &["weights", "export"],
        &[
            "clover weights export runs/mine/bundle --format published --out exported",
            "clover weights export bundles/clip --clip huggingface --out exported",
        ],
    ),
    (
        &["weights", "inspect"],
        &["clover weights inspect swin.pth --depth 3"],
    ),
    (
        &["weights", "fetch"],
        &["clover weights fetch google-bert/bert-base-uncased"],
    ),
    (
        &["help"],
        &[
            "clover help",
            "clover help training",
            "clover help weights import",
        ],
    ),
    (&["completions"], &["clover completions bash"]),
    (
        &["man"],
        &[
            "clover man",
            "clover man weights import",
            "clover man --out man1",
        ],
    ),
];
