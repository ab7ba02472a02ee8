using System.Text.Json.Nodes;
using Serve.Cli.Verbs;

namespace Serve.Cli.Tests.Verbs;

public sealed class RevisionDifferenceTests
{
    [Fact]
    public void Differences_ChangedAddedAndRemovedValues_OneLineEach() => Assert.Equal(
        ["  code: \"a\" -> \"b\"", "  deployments.D.num_replicas: 1 -> 2", "  deployments.E: - -> {\"name\":\"E\"}", "  note: \"x\" -> -"],
        ServeRevisionCommands.Differences(
            JsonNode.Parse("""{"code":"a","note":"x","deployments":{"D":{"name":"D","num_replicas":1}}}"""),
            JsonNode.Parse("""{"code":"b","deployments":{"D":{"name":"D","num_replicas":2},"E":{"name":"E"}}}"""), ""));
}
