import groovy.json.JsonOutput;
import java.io.File;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.ast.expr.ArgumentListExpression;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.DeclarationExpression;
import org.codehaus.groovy.ast.expr.BinaryExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.GStringExpression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapEntryExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.TupleExpression;
import org.codehaus.groovy.ast.stmt.BlockStatement;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.Statement;
import org.codehaus.groovy.control.CompilationFailedException;
import org.codehaus.groovy.control.CompilationUnit;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.Phases;
import org.codehaus.groovy.control.SourceUnit;

/**
 * Reads Groovy files as Jenkins does, and runs nothing of them. For each file it writes a line of JSON: its name, and
 * `statements`, or `error` if it is no Groovy.
 *
 * A call is {call, args, named, block}, a string with variables {gstring}, an assignment {name, value}; a constant stands
 * for itself, and whatever else there is for its text: {text}.
 */
public final class Tree {
  public static void main(String[] files) {
    for (String name : files) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("file", name);
      try {
        CompilationUnit unit = new CompilationUnit(new CompilerConfiguration());
        SourceUnit source = unit.addSource(new File(name));
        unit.compile(Phases.CONVERSION);
        line.put("statements", block(source.getAST().getStatementBlock()));
      } catch (CompilationFailedException wrong) {
        line.put("error", wrong.getMessage());
      }
      System.out.println(JsonOutput.toJson(line));
    }
  }

  private static List<Object> block(Statement statement) {
    List<Object> all = new ArrayList<>();
    if (statement instanceof BlockStatement)
      for (Statement one : ((BlockStatement) statement).getStatements()) all.add(tree(one));
    else if (statement != null) all.add(tree(statement));
    return all;
  }

  private static Object tree(Statement statement) {
    return statement instanceof ExpressionStatement
        ? tree(((ExpressionStatement) statement).getExpression())
        : Map.of("text", statement.getText());
  }

  private static Object tree(Expression expression) {
    if (expression instanceof MethodCallExpression) return call((MethodCallExpression) expression);
    if (expression instanceof ConstantExpression) return ((ConstantExpression) expression).getValue();
    if (expression instanceof GStringExpression) return Map.of("gstring", expression.getText());
    if (expression instanceof ListExpression) {
      List<Object> all = new ArrayList<>();
      for (Expression one : ((ListExpression) expression).getExpressions()) all.add(tree(one));
      return all;
    }
    if (expression instanceof BinaryExpression && !(expression instanceof DeclarationExpression)) {
      BinaryExpression both = (BinaryExpression) expression;
      if (both.getOperation().getText().equals("="))
        return Map.of("name", both.getLeftExpression().getText(), "value", tree(both.getRightExpression()));
    }
    return Map.of("text", expression.getText());
  }

  private static Map<String, Object> call(MethodCallExpression call) {
    Map<String, Object> known = new LinkedHashMap<>();
    List<Object> args = new ArrayList<>();
    Map<String, Object> named = new LinkedHashMap<>();
    known.put("call", (call.isImplicitThis() ? "" : call.getObjectExpression().getText() + ".") + call.getMethodAsString());
    known.put("line", call.getLineNumber());
    known.put("args", args);
    known.put("named", named);
    List<? extends Expression> given = ((TupleExpression) call.getArguments()).getExpressions();
    for (Expression one : given) {
      if (one instanceof MapExpression)
        for (MapEntryExpression entry : ((MapExpression) one).getMapEntryExpressions())
          named.put(entry.getKeyExpression().getText(), tree(entry.getValueExpression()));
      else if (one instanceof ClosureExpression && one == given.get(given.size() - 1))
        known.put("block", block(((ClosureExpression) one).getCode()));
      else args.add(tree(one));
    }
    return known;
  }
}
