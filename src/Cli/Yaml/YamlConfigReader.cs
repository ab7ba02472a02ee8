using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Serve.Cli.Yaml;

/// <summary>Reads YAML into JSON. Quoted scalars stay text; unquoted ones are typed by YAML 1.2's core schema.</summary>
internal sealed class YamlConfigReader
{
    // Aliases may multiply a small file into a huge tree.
    private const int MaxNodes = 100_000;
    private const int MaxDepth = 100;
    private readonly string _file;
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];
    private int _nodes;

    private YamlConfigReader(string file) => this._file = file;

    /// <summary>Reads one document.</summary>
    /// <param name="file">The file's name, for errors.</param>
    /// <param name="text">Its text.</param>
    /// <returns>The content with its line numbers.</returns>
    /// <exception cref="DefinitionException">It is not YAML, or holds what JSON cannot.</exception>
    public static ParsedYamlFile Read(string file, string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new DefinitionException($"{file}({e.Start.Line}): {(e.InnerException ?? e).Message}");
        }

        if (stream.Documents.Count > 1)
            throw new DefinitionException($"{file}({stream.Documents[1].RootNode.Start.Line}): expected one document and found {stream.Documents.Count}.");
        var reader = new YamlConfigReader(file);
        var root = stream.Documents.Count == 0 ? null : reader.Convert(stream.Documents[0].RootNode, "", 0);
        return reader._errors.Count == 0 ? new(file, root, reader._lines) : throw new DefinitionException(reader._errors);
    }

    private JsonNode? Convert(YamlNode node, string path, int depth)
    {
        if (++_nodes > MaxNodes || depth > MaxDepth)
            throw new DefinitionException($"{_file}({node.Start.Line}): the content is too large or too deep (at most {MaxNodes} values, {MaxDepth} levels).");
        _lines.TryAdd(path, (int)node.Start.Line);
        return node switch
        {
            YamlMappingNode mapping => ConvertMapping(mapping, path, depth),
            YamlSequenceNode sequence => ConvertSequence(sequence, path, depth),
            YamlScalarNode scalar => ConvertScalar(scalar),
            _ => Fail(node, $"a {node.NodeType} cannot stand here"),
        };
    }

    private JsonObject ConvertMapping(YamlMappingNode mapping, string path, int depth)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } name })
            {
                Fail(key, "a key must be a scalar");
                continue;
            }

            var child = path.Length == 0 ? name : $"{path}.{name}";
            // The key's line, not the value's: a mapping's value begins on the next.
            _lines.TryAdd(child, (int)key.Start.Line);
            result[name] = Convert(value, child, depth + 1);
        }

        return result;
    }

    private JsonArray ConvertSequence(YamlSequenceNode sequence, string path, int depth)
    {
        var result = new JsonArray();
        for (var i = 0; i < sequence.Children.Count; i++)
            result.Add(Convert(sequence.Children[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), depth + 1));
        return result;
    }

    private JsonNode? ConvertScalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag.Value == "tag:yaml.org,2002:str"))
            return JsonValue.Create(text);
        return YamlCoreSchema.TryRead(text, out var value) ? value : Fail(scalar, $"'{text}' is a number that JSON cannot hold");
    }

    private JsonNode? Fail(YamlNode node, string message)
    {
        _errors.Add($"{_file}({node.Start.Line}): {message}");
        return null;
    }
}
