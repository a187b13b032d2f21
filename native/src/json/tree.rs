//! Paths that share their beginnings, as a tree: one walk over a body, or over a row, finds all of
//! them.

/// A place in the tree; the root is the first.
pub type Place = u32;
pub const ROOT: Place = 0;

pub struct Tree<T> {
    nodes: Vec<Node<T>>,
}

pub struct Node<T> {
    pub children: Vec<(Box<[u8]>, Place)>,
    /// What the paths that end here are for.
    pub ends: Vec<T>,
}

impl<T> Node<T> {
    fn new() -> Self {
        Node { children: Vec::new(), ends: Vec::new() }
    }

    pub fn child(&self, key: &[u8]) -> Option<Place> {
        self.children.iter().find(|(name, _)| **name == *key).map(|(_, place)| *place)
    }
}

impl<T> Tree<T> {
    pub fn new() -> Self {
        Tree { nodes: vec![Node::new()] }
    }

    pub fn add(&mut self, path: &[String], end: T) {
        let mut place = ROOT;
        for key in path {
            place = match self.node(place).child(key.as_bytes()) {
                Some(next) => next,
                None => self.grow(place, key),
            };
        }
        self.nodes[place as usize].ends.push(end);
    }

    fn grow(&mut self, place: Place, key: &str) -> Place {
        let next = self.nodes.len() as Place;
        self.nodes.push(Node::new());
        self.nodes[place as usize].children.push((key.as_bytes().into(), next));
        next
    }

    pub fn node(&self, place: Place) -> &Node<T> {
        &self.nodes[place as usize]
    }
}
