//! An ordered list of small indices with constant-time removal from anywhere, without allocation per element.

const END: u32 = u32::MAX;

/// A doubly linked list over indices; an index may be in it once.
#[derive(Clone, Debug)]
pub(super) struct Links {
    prev: Vec<u32>,
    next: Vec<u32>,
    head: u32,
    tail: u32,
}

impl Links {
    /// An empty list for the indices below `len`.
    pub(super) fn new(len: usize) -> Links {
        Links { prev: vec![END; len], next: vec![END; len], head: END, tail: END }
    }

    /// An empty list for no index yet, with room for `len`.
    pub(super) fn with_capacity(len: usize) -> Links {
        Links { prev: Vec::with_capacity(len), next: Vec::with_capacity(len), head: END, tail: END }
    }

    /// Makes room for one more index.
    pub(super) fn grow(&mut self) {
        self.prev.push(END);
        self.next.push(END);
    }

    pub(super) fn front(&self) -> Option<u32> {
        (self.head != END).then_some(self.head)
    }

    pub(super) fn back(&self) -> Option<u32> {
        (self.tail != END).then_some(self.tail)
    }

    /// The indices from front to back, for comparing states.
    #[cfg(test)]
    pub(super) fn order(&self) -> Vec<u32> {
        std::iter::successors(self.front(), |i| Some(self.next[*i as usize]).filter(|next| *next != END)).collect()
    }

    pub(super) fn push_front(&mut self, i: u32) {
        self.prev[i as usize] = END;
        self.next[i as usize] = self.head;
        match self.head {
            END => self.tail = i,
            head => self.prev[head as usize] = i,
        }
        self.head = i;
    }

    pub(super) fn push_back(&mut self, i: u32) {
        self.next[i as usize] = END;
        self.prev[i as usize] = self.tail;
        match self.tail {
            END => self.head = i,
            tail => self.next[tail as usize] = i,
        }
        self.tail = i;
    }

    /// Takes out `i`, which must be in the list.
    pub(super) fn remove(&mut self, i: u32) {
        let (before, after) = (self.prev[i as usize], self.next[i as usize]);
        match before {
            END => self.head = after,
            b => self.next[b as usize] = after,
        }
        match after {
            END => self.tail = before,
            a => self.prev[a as usize] = before,
        }
    }
}
