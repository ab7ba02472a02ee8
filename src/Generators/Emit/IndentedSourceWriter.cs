using System.Text;

namespace Serve.Generators.Emit;

/// <summary>Writes indented lines.</summary>
internal sealed class IndentedSourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    public IndentedSourceWriter Line(string line = "")
    {
        _text.Append(line.Length == 0 ? "" : new string(' ', _depth * 4)).Append(line).Append('\n');
        return this;
    }

    public IndentedSourceWriter Open(string line)
    {
        Line(line).Line("{");
        _depth++;
        return this;
    }

    public IndentedSourceWriter Close()
    {
        _depth--;
        return Line("}");
    }

    public override string ToString() => _text.ToString();
}
