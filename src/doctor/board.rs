//! The board: whether its facts are known, and what is wrong with it, as `board` says.

use std::path::Path;

use super::finding::Found;
use crate::board::{self, Board, Problem, Root, Severity};

/// What is about the disk is told with the disk.
const STORAGE: &str = "storage";

/// The board below `root` whose images lie in `state_dir`; first what is about itself, then
/// what is about its disk.
#[must_use]
pub fn look(root: &Path, state_dir: &Path) -> (Found, Option<Found>) {
    let root = Root::at(root);
    let (disk, rest): (Vec<Problem>, Vec<Problem>) =
        board::problems(&root, state_dir).into_iter().partition(|problem| problem.about == STORAGE);
    let name = Found::ok(Board::detect(&root).to_string());
    (rest.into_iter().map(found).fold(name, Found::and), Found::all(disk.into_iter().map(found)))
}

fn found(problem: Problem) -> Found {
    let Problem { severity, about, seen, remedy } = problem;
    let seen = format!("{about}: {seen}");
    match severity {
        Severity::Note => Found::ok(format!("{seen} ({remedy})")),
        Severity::Warning => Found::warning(seen, remedy),
        Severity::Bad => Found::failed(seen, remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_board_that_nobody_knows_is_said_loudly() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("proc/device-tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join("compatible"), "acme,new\0acme,soc\0").unwrap();
        let (found, _) = look(root.path(), root.path());
        assert_eq!(found.state, State::Warning);
        assert!(found.what.iter().any(|what| what.contains("NOBODY KNOWS THIS BOARD")), "{found:?}");
        assert!(found.todo.iter().any(|todo| todo.contains("board/")), "{found:?}");
    }
}
