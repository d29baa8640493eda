//! What a recording holds: every operation on files, in order, by inode.

/// An inode of the recording. Never used twice, unlike those of a filesystem, which gives a new file the number of one just removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

/// One operation, after it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A name and an empty inode came to be.
    Create {
        /// Name in the directory.
        name: String,
        /// The new inode.
        node: Node,
    },
    /// Bytes were written.
    Write {
        /// Into which inode.
        node: Node,
        /// From which byte.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// The inode was cut or extended.
    Truncate {
        /// Which inode.
        node: Node,
        /// Its new size, bytes.
        len: u64,
    },
    /// The inode's data and size were flushed (fsync or fdatasync).
    Sync {
        /// Which inode.
        node: Node,
    },
    /// A writer closed the inode.
    Close {
        /// Which inode.
        node: Node,
    },
    /// The directory's entries were flushed.
    SyncDir,
    /// A name was moved.
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
        /// What it names.
        node: Node,
        /// Whether something else had the new name.
        replaced: bool,
    },
    /// A name was removed.
    Unlink {
        /// The name.
        name: String,
    },
    /// The writer began its write of this number; numbers begin at 1.
    Begin(u64),
    /// The store acknowledged the write of this number.
    Acknowledge(u64),
}

impl Op {
    /// Whether it changes the directory's entries.
    pub fn changes_names(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Rename { .. } | Self::Unlink { .. })
    }

    /// Whether it waits for the device.
    pub fn flushes(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::SyncDir)
    }
}

/// A recording. Crash point `p` lies before operation `p`; the last one is behind all operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The operations, in order.
    pub ops: Vec<Op>,
}

impl Log {
    /// The last write that had begun before crash point `point`, and the last that was acknowledged; 0 for none.
    pub fn writes_at(&self, point: usize) -> (u64, u64) {
        let mut last = (0, 0);
        for op in self.ops.iter().take(point) {
            match op {
                Op::Begin(n) => last.0 = *n,
                Op::Acknowledge(n) => last.1 = *n,
                _ => {}
            }
        }
        last
    }

    /// Flushes of files and directories in each write that was acknowledged, in order.
    pub fn flushes_of_writes(&self) -> Vec<u64> {
        let (mut all, mut now) = (Vec::new(), 0);
        for op in &self.ops {
            match op {
                Op::Begin(_) => now = 0,
                Op::Acknowledge(_) => all.push(now),
                op => now += u64::from(op.flushes()),
            }
        }
        all
    }

    /// Flushes of files and directories per write, over the writes from the first to the last acknowledged.
    pub fn flushes_per_write(&self) -> f64 {
        let first = self.ops.iter().position(|op| matches!(op, Op::Begin(_))).unwrap_or(0);
        let last = self.ops.iter().rposition(|op| matches!(op, Op::Acknowledge(_))).unwrap_or(0);
        let between = self.ops.get(first..=last).unwrap_or_default();
        let count = |of: fn(&Op) -> bool| between.iter().filter(|op| of(op)).count() as f64;
        count(Op::flushes) / count(|op| matches!(op, Op::Acknowledge(_))).max(1.0)
    }
}
