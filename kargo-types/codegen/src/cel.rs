//! The part of CEL that CRDs' rules use, read into [`Cond`]itions:
//! `has()`, `!`, `&&`, `||`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `?:`, `in`,
//! `.size()`, `size()`, indices, field access and literals.
//!
//! Anything else is refused by name; a rule is never dropped.

use serde_json::Value;

use crate::rules::{Cmp, Cond, Operand, Test};

/// Reads a rule.
///
/// # Errors
///
/// Says what in the rule is outside the subset, and at which character.
pub(crate) fn parse(rule: &str) -> Result<Cond, String> {
    let tokens = tokens(rule)?;
    let mut parser = Parser { tokens, next: 0 };
    let expr = parser.ternary()?;
    if let Some(token) = parser.peek() {
        return Err(format!("`{}` where the rule should end", token.show()));
    }
    cond(&expr)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Int(i64),
    Op(&'static str),
}

impl Token {
    fn show(&self) -> String {
        match self {
            Token::Name(name) => name.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Int(int) => int.to_string(),
            Token::Op(op) => (*op).to_string(),
        }
    }
}

const OPS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "(", ")", "[", "]", ".", ",", "-",
];

fn tokens(rule: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = rule;
    while let Some(first) = rest.chars().next() {
        let at = rule.len() - rest.len();
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if first == '\'' || first == '"' {
            let body = rest.strip_prefix(first).unwrap_or_default();
            let Some((text, after)) = body.split_once(first) else {
                return Err(format!("a text without end at character {at}"));
            };
            if text.contains('\\') {
                return Err(format!("an escape in the text at character {at}"));
            }
            tokens.push(Token::Text(text.to_string()));
            rest = after;
        } else if first.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                .unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            let int = digits
                .parse()
                .map_err(|_| format!("the number `{digits}` at character {at}"))?;
            tokens.push(Token::Int(int));
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            tokens.push(Token::Name(name.to_string()));
            rest = after;
        } else if let Some((op, after)) = OPS
            .iter()
            .find_map(|op| rest.strip_prefix(op).map(|after| (*op, after)))
        {
            tokens.push(Token::Op(op));
            rest = after;
        } else {
            return Err(format!("`{first}` at character {at}"));
        }
    }
    Ok(tokens)
}

/// A rule's syntax tree.
#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Literal(Value),
    List(Vec<Expr>),
    Operand(Operand),
    Has(Operand),
    Size(Operand),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Compare(Cmp, Box<Expr>, Box<Expr>),
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, op: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Op(other)) if *other == op);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, op: &str) -> Result<(), String> {
        if self.take(op) {
            return Ok(());
        }
        let found = self.peek().map_or("its end".to_string(), Token::show);
        Err(format!("`{found}` where `{op}` should be"))
    }

    fn ternary(&mut self) -> Result<Expr, String> {
        let condition = self.or()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.or()?;
        self.expect(":")?;
        let no = self.ternary()?;
        Ok(Expr::Ternary(condition.into(), yes.into(), no.into()))
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Expr::Or(left.into(), self.and()?.into());
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.relation()?;
        while self.take("&&") {
            left = Expr::And(left.into(), self.relation()?.into());
        }
        Ok(left)
    }

    fn relation(&mut self) -> Result<Expr, String> {
        let left = self.unary()?;
        for cmp in [Cmp::Le, Cmp::Ge, Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Gt] {
            if self.take(cmp.symbol()) {
                return Ok(Expr::Compare(cmp, left.into(), self.unary()?.into()));
            }
        }
        if matches!(self.peek(), Some(Token::Name(name)) if name == "in") {
            self.next += 1;
            return Ok(Expr::In(left.into(), self.unary()?.into()));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take("!") {
            return Ok(Expr::Not(self.unary()?.into()));
        }
        if self.take("-") {
            return match self.unary()? {
                Expr::Literal(Value::Number(number)) => number
                    .as_i64()
                    .and_then(i64::checked_neg)
                    .map(|int| Expr::Literal(int.into()))
                    .ok_or_else(|| format!("the number `-{number}`")),
                _ => Err("arithmetic (`-`)".to_string()),
            };
        }
        let mut expr = self.primary()?;
        loop {
            if self.take(".") {
                let Some(Token::Name(name)) = self.peek().cloned() else {
                    return Err("a `.` without a name".to_string());
                };
                self.next += 1;
                let Expr::Operand(operand) = expr else {
                    return Err(format!("`.{name}` of what is no field"));
                };
                expr = if self.take("(") {
                    if name != "size" {
                        return Err(format!("the function `{name}`"));
                    }
                    self.expect(")")?;
                    Expr::Size(operand)
                } else {
                    Expr::Operand(Operand::Property(operand.into(), name))
                };
            } else if self.take("[") {
                let Some(Token::Int(index)) = self.peek().cloned() else {
                    return Err("an index that is no number".to_string());
                };
                self.next += 1;
                self.expect("]")?;
                let (Expr::Operand(operand), Ok(index)) = (expr, usize::try_from(index)) else {
                    return Err("an index of what is no field".to_string());
                };
                expr = Expr::Operand(Operand::Index(operand.into(), index));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let Some(token) = self.peek().cloned() else {
            return Err("its end where a value should be".to_string());
        };
        self.next += 1;
        match token {
            Token::Text(text) => Ok(Expr::Literal(Value::String(text))),
            Token::Int(int) => Ok(Expr::Literal(int.into())),
            Token::Op("(") => {
                let inner = self.ternary()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Op("[") => {
                let mut items = Vec::new();
                while !self.take("]") {
                    items.push(self.unary()?);
                    if !self.take(",") {
                        self.expect("]")?;
                        break;
                    }
                }
                Ok(Expr::List(items))
            }
            Token::Name(name) => match name.as_str() {
                "true" => Ok(Expr::Literal(Value::Bool(true))),
                "false" => Ok(Expr::Literal(Value::Bool(false))),
                "self" => Ok(Expr::Operand(Operand::This)),
                "has" | "size" if self.take("(") => {
                    let Expr::Operand(operand) = self.unary()? else {
                        return Err(format!("`{name}()` of what is no field"));
                    };
                    self.expect(")")?;
                    if name == "size" {
                        Ok(Expr::Size(operand))
                    } else if matches!(operand, Operand::Property(..)) {
                        Ok(Expr::Has(operand))
                    } else {
                        Err("`has()` of what is no field".to_string())
                    }
                }
                other => Err(format!("the name `{other}`")),
            },
            other => Err(format!("`{}` where a value should be", other.show())),
        }
    }
}

/// A tree that is a condition.
fn cond(expr: &Expr) -> Result<Cond, String> {
    match expr {
        Expr::Literal(Value::Bool(value)) => Ok(Cond::Const(*value)),
        Expr::Operand(Operand::This) => Err("`self` as a condition".to_string()),
        Expr::Operand(operand) => Ok(Cond::Holds(
            operand.clone(),
            Test::In(vec![Value::Bool(true)]),
        )),
        Expr::Has(operand) => Ok(Cond::Has(operand.clone())),
        Expr::Not(inner) => Ok(Cond::Not(Box::new(total(inner)?))),
        Expr::And(left, right) => Ok(Cond::All(vec![cond(left)?, cond(right)?])),
        Expr::Or(left, right) => Ok(Cond::Any(vec![cond(left)?, cond(right)?])),
        Expr::Ternary(condition, yes, no) => {
            let condition = total(condition)?;
            Ok(Cond::Any(vec![
                Cond::All(vec![condition.clone(), cond(yes)?]),
                Cond::All(vec![Cond::Not(Box::new(condition)), cond(no)?]),
            ]))
        }
        Expr::In(value, list) => match (&**value, &**list) {
            (Expr::Operand(operand), Expr::List(items)) => {
                let values = items.iter().map(literal).collect::<Result<_, _>>()?;
                Ok(Cond::Holds(operand.clone(), Test::In(values)))
            }
            _ => Err("`in` of anything but a field and a list of literals".to_string()),
        },
        Expr::Compare(cmp, left, right) => compare(*cmp, left, right),
        Expr::Literal(_) | Expr::List(_) | Expr::Size(_) => {
            Err("a value where a condition should be".to_string())
        }
    }
}

fn compare(cmp: Cmp, left: &Expr, right: &Expr) -> Result<Cond, String> {
    match (left, right) {
        (Expr::Size(operand), Expr::Literal(Value::Number(number))) => {
            Ok(Cond::Holds(operand.clone(), Test::Size(cmp, int(number)?)))
        }
        (Expr::Operand(operand), Expr::Literal(Value::Number(number))) => Ok(Cond::Holds(
            operand.clone(),
            Test::Number(cmp, int(number)?),
        )),
        (Expr::Literal(_), Expr::Size(_) | Expr::Operand(_)) => compare(cmp.flipped(), right, left),
        (Expr::Operand(operand), Expr::Literal(value)) => match cmp {
            Cmp::Eq => Ok(Cond::Holds(operand.clone(), Test::In(vec![value.clone()]))),
            Cmp::Ne => Ok(Cond::Holds(
                operand.clone(),
                Test::NotIn(vec![value.clone()]),
            )),
            _ => Err(format!("`{}` with a text", cmp.symbol())),
        },
        _ => {
            let same = Cond::Same(Box::new(total(left)?), Box::new(total(right)?));
            match cmp {
                Cmp::Eq => Ok(same),
                Cmp::Ne => Ok(Cond::Not(Box::new(same))),
                _ => Err(format!("`{}` between conditions", cmp.symbol())),
            }
        }
    }
}

fn int(number: &serde_json::Number) -> Result<i64, String> {
    number
        .as_i64()
        .ok_or_else(|| format!("the number `{number}`"))
}

fn literal(expr: &Expr) -> Result<Value, String> {
    match expr {
        Expr::Literal(value) => Ok(value.clone()),
        _ => Err("a list with anything but literals".to_string()),
    }
}

/// A condition that CEL can always evaluate, so that its negation is its negation.
fn total(expr: &Expr) -> Result<Cond, String> {
    let cond = cond(expr)?;
    if can_fail(&cond) {
        Err("the negation, comparison or `?` of what may be absent".to_string())
    } else {
        Ok(cond)
    }
}

fn can_fail(cond: &Cond) -> bool {
    match cond {
        Cond::Const(_) => false,
        Cond::Not(inner) => can_fail(inner),
        Cond::All(parts) | Cond::Any(parts) | Cond::One(parts) => parts.iter().any(can_fail),
        Cond::Same(left, right) => can_fail(left) || can_fail(right),
        Cond::Has(operand) => !matches!(operand, Operand::Property(of, _) if **of == Operand::This),
        Cond::Holds(operand, _) => *operand != Operand::This,
        Cond::AbsentOr(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_the_subset_is_refused_by_name() {
        for (rule, says) in [
            ("self.name.matches('^a')", "the function `matches`"),
            ("self == oldSelf", "the name `oldSelf`"),
            ("self.all(x, x > 1)", "the function `all`"),
            ("!(self[0] == 'a')", "may be absent"),
            ("has(self.a.b) ? true : false", "may be absent"),
            ("self.a + 1 == 2", "`+`"),
            ("self.a == 1.5", "the number `1.5`"),
            ("has(self)", "no field"),
            ("has(self.a) &&", "its end"),
            ("has(self.a) has(self.b)", "should end"),
            ("'a\\n' == self.a", "an escape"),
            ("'a", "without end"),
            ("-self.a == 1", "arithmetic"),
            ("self.size()", "a value where a condition should be"),
        ] {
            let error = parse(rule).unwrap_err();
            assert!(error.contains(says), "{rule}: {error}");
        }
    }

    #[test]
    fn precedence_is_cels() {
        assert_eq!(
            parse("has(self.a) || has(self.b) && has(self.c)").unwrap(),
            parse("has(self.a) || (has(self.b) && has(self.c))").unwrap(),
        );
        assert_eq!(
            parse("!has(self.a) && has(self.b)").unwrap(),
            parse("(!has(self.a)) && has(self.b)").unwrap(),
        );
        assert_eq!(
            parse("1 <= self.size()").unwrap(),
            parse("self.size() >= 1").unwrap(),
        );
    }
}
