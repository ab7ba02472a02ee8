using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Serve.Cli.Yaml;

/// <summary>Reads YAML as JSON. Quoted scalars are texts; unquoted ones are typed by the core schema of YAML 1.2.</summary>
internal sealed class YamlConfigReader
{
    // With aliases, a small file can expand to a huge tree.
    private const int MaxNodes = 100_000;
    private const int MaxDepth = 100;
    private readonly string _file;
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];
    private int _nodes;

    private YamlConfigReader(string file) => _file = file;

    /// <summary>Reads one document.</summary>
    /// <param name="file">Name of the file, for errors.</param>
    /// <param name="text">Content of the file.</param>
    /// <returns>The content with line numbers.</returns>
    /// <exception cref="DefinitionException">The text is not YAML, or cannot be represented in JSON.</exception>
    public static ParsedYamlFile Read(string file, string text)
    {
        var stream = new YamlStream();
        try
        {
            CheckDepth(file, text);
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new DefinitionException($"{file}({e.Start.Line}): {(e.InnerException ?? e).Message}");
        }

        if (stream.Documents.Count > 1)
            throw new DefinitionException($"{file}({stream.Documents[1].RootNode.Start.Line}): expected one document, but found {stream.Documents.Count}.");
        var reader = new YamlConfigReader(file);
        var root = stream.Documents.Count == 0 ? null : reader.Convert(stream.Documents[0].RootNode, "", 0);
        return reader._errors.Count == 0 ? new(file, root, reader._lines) : throw new DefinitionException(reader._errors);
    }

    // The document model reads nested values recursively, and a stack overflow cannot be caught.
    private static void CheckDepth(string file, string text)
    {
        var parser = new Parser(new StringReader(text));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current is MappingStart or SequenceStart ? 1 : parser.Current is MappingEnd or SequenceEnd ? -1 : 0;
            if (depth > MaxDepth)
                throw new DefinitionException($"{file}({parser.Current!.Start.Line}): the content is too deep (at most {MaxDepth} levels).");
        }
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
            _ => Fail(node, $"a {node.NodeType} is not allowed here"),
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
            // The line of the key: the value of a mapping starts on the next line.
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
        return YamlCoreSchema.TryRead(text, out var value) ? value : Fail(scalar, $"'{text}' is a number that JSON cannot represent");
    }

    private JsonNode? Fail(YamlNode node, string message)
    {
        _errors.Add($"{_file}({node.Start.Line}): {message}");
        return null;
    }
}
