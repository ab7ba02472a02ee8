using System.Text.Json.Nodes;
using Serve.Cli.Yaml;

namespace Serve.Cli.Tests.Yaml;

public sealed class YamlConfigReaderTests
{
    [Theory]
    [InlineData("5", "5")]
    [InlineData("-3", "-3")]
    [InlineData("0x1F", "31")]
    [InlineData("0o17", "15")]
    [InlineData("1.5", "1.5")]
    [InlineData("1e3", "1000")]
    [InlineData("true", "true")]
    [InlineData("False", "false")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("null", "null")]
    [InlineData("'5'", "\"5\"")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("!!str 5", "\"5\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("0.0.0.0", "\"0.0.0.0\"")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("99999999999999999999", "1E+20")]
    [InlineData("/Counter", "\"/Counter\"")]
    public void Read_Scalar_TypedByCoreSchema(string yaml, string json)
    {
        var node = YamlConfigReader.Read("f.yaml", $"key: {yaml}\n").Root!["key"];

        Assert.Equal(json, node?.ToJsonString() ?? "null");
    }

    [Theory]
    [InlineData("a: 1\na: 2\n", "f.yaml(2)")]
    [InlineData("a: [1, 2\n", "f.yaml(2)")]
    [InlineData("a: 1\n---\nb: 2\n", "f.yaml(3)")]
    [InlineData("a: 1\nb: .inf\n", "f.yaml(2)")]
    [InlineData("a:\n\tx: 1\n", "f.yaml(1)")]
    public void Read_NotReadable_ErrorNamesTheLine(string yaml, string place)
    {
        var error = Assert.Throws<DefinitionException>(() => YamlConfigReader.Read("f.yaml", yaml));

        Assert.StartsWith(place, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Read_TwentyThousandLevels_Refused(string level)
    {
        var error = Assert.Throws<DefinitionException>(() => YamlConfigReader.Read("f.yaml", string.Concat(Enumerable.Repeat(level, 20_000))));

        Assert.Contains("too deep", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AliasesThatMultiply_Refused()
    {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(
            Enumerable.Range(1, 7).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        Assert.Contains("too large", Assert.Throws<DefinitionException>(() => YamlConfigReader.Read("f.yaml", bomb)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locate_ErrorWithPath_FileAndLine()
    {
        var file = YamlConfigReader.Read("f.yaml", "applications:\n  - name: a\n    deployments:\n      - name: X\n        num_replicas: many\n");

        Assert.Equal(
            ["f.yaml(5): applications[0].deployments[0].num_replicas: wrong", "f.yaml(2): applications[0].import_path: missing", "f.yaml: odd"],
            file.Locate(["applications[0].deployments[0].num_replicas: wrong", "applications[0].import_path: missing", "odd"]));
    }

    [Fact]
    public void Write_EveryKind_ReadsBackTheSame()
    {
        var json = JsonNode.Parse("""
            {"applications":[{"name":"5","on":"true","route_prefix":null,"empty":{},"none":[],"text":"a: b # c","lines":"x\ny\n","n":1.5,"i":-3,"b":false,"nested":[[1,2],{"k":"~"}]," x":"'"}]}
            """);

        var yaml = YamlConfigWriter.Write(json);

        Assert.Equal(json!.ToJsonString(), YamlConfigReader.Read("f.yaml", yaml).Root!.ToJsonString());
        Assert.StartsWith("applications:\n  - name: \"5\"\n", yaml, StringComparison.Ordinal);
    }
}
