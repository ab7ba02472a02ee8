using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Serve.Dashboard.Live;

namespace Serve.Dashboard.Tests;

public sealed class LiveTableTests
{
    private readonly LiveFeed _feed = new(new FakeTimeProvider());

    [Fact]
    public void ComposeChange_ValuesChanged_ContainsThoseRowsOnly()
    {
        Publish(Row("a", 1, 2), Row("b", 3, float.NaN));

        Publish(Row("a", 1, 2), Row("b", 4, float.NaN));

        Assert.Equal("""{"rows":[[2,4,null]]}""", Change(since: 1));
    }

    [Fact]
    public void Publish_NothingChanged_KeepsTheVersion()
    {
        Publish(Row("a", 1, float.NaN));
        var before = _feed.Version;

        Publish(Row("a", 1, float.NaN));

        Assert.Equal(before, _feed.Version);
    }

    [Fact]
    public void ComposeChange_RowsAddedRemovedAndRenamed_ContainsEach()
    {
        Publish(Row("a", 1, 2), Row("b", 3, 4), Row("c", 5, 6));

        Publish(Row("a", 1, 2) with { Info = """{"state":"exited"}"""u8.ToArray() }, Row("c", 5, 6), Row("d", 7, 8));

        Assert.Equal("""{"info":[[1,{"state":"exited"}]],"added":[{"n":4,"key":"d","info":{},"values":[7,8]}],"removed":[2]}""", Change(since: 1));
    }

    [Fact]
    public void ComposeChange_SeveralVersionsBehind_LeadsToTheSameRows()
    {
        Publish(Row("a", 1, 1), Row("b", 1, 1));
        var seen = Snapshot();
        Publish(Row("a", 2, 1), Row("c", 1, 1));
        Publish(Row("a", 2, 1), Row("b", 9, 9), Row("c", 3, 1));
        Publish(Row("b", 9, 9), Row("c", 3, 1));

        Apply(seen, JsonNode.Parse(Change(since: 1)!)!);

        Assert.Equal(Snapshot().Select(row => $"{row.Key}:{row.Value}"), seen.Select(row => $"{row.Key}:{row.Value}"));
    }

    [Fact]
    public void ComposeChange_SameStep_IsComposedOnceForAllStreams()
    {
        Publish(Row("a", 1, 2));
        Publish(Row("a", 2, 2));

        Assert.Same(_feed.ComposeChange([LiveTopics.Models], 1).Changes!.Single().Json, _feed.ComposeChange([LiveTopics.Models], 1).Changes!.Single().Json);
    }

    [Fact]
    public void Resume_VersionOfAnotherStart_IsRefused()
    {
        Publish(Row("a", 1, 2));

        Assert.Null(_feed.Resume("00000000-1", [LiveTopics.Models]));
        Assert.Null(_feed.Resume("nonsense", [LiveTopics.Models]));
        Assert.Null(_feed.Resume(_feed.Version.Split('-')[0] + "-99", [LiveTopics.Models]));
        Assert.Equal(1, _feed.Resume(_feed.Version, [LiveTopics.Models]));
    }

    [Fact]
    public void Resume_MoreRemovedRowsThanAreRemembered_IsRefused()
    {
        Publish(Row("a", 1, 2));
        var first = _feed.Version;
        Publish([.. Enumerable.Range(0, 6000).Select(number => Row($"x{number}", 1, 2))]);
        Publish([.. Enumerable.Range(0, 6000).Select(number => Row($"y{number}", 1, 2))]);
        Publish(Row("a", 1, 2));

        Assert.Null(_feed.Resume(first, [LiveTopics.Models]));
        Assert.NotNull(_feed.Resume(first, [LiveTopics.Nodes]));
        Assert.Null(_feed.ComposeChange([LiveTopics.Models], 1).Changes);
    }

    private static LiveRowContent Row(string key, params float[] values) => new(key, "{}"u8.ToArray(), values);

    private void Publish(params LiveRowContent[] rows) => _feed.Publish(new Dictionary<string, List<LiveRowContent>> { [LiveTopics.Models] = [.. rows] });

    private string? Change(long since) => _feed.ComposeChange([LiveTopics.Models], since).Changes!.Select(change => Encoding.UTF8.GetString(change.Json)).SingleOrDefault();

    private SortedDictionary<int, string> Snapshot() => new(JsonNode.Parse(_feed.ComposeSnapshot([LiveTopics.Models]))!["topics"]!["models"]!["rows"]!.AsArray()
        .ToDictionary(row => (int)row!["n"]!, row => row!["values"]!.ToJsonString()));

    private static void Apply(SortedDictionary<int, string> rows, JsonNode change)
    {
        foreach (var removed in change["removed"]?.AsArray() ?? [])
            rows.Remove((int)removed!);
        foreach (var added in change["added"]?.AsArray() ?? [])
            rows[(int)added!["n"]!] = added["values"]!.ToJsonString();
        foreach (var row in change["rows"]?.AsArray() ?? [])
            rows[(int)row![0]!] = new JsonArray([.. row.AsArray().Skip(1).Select(value => value?.DeepClone())]).ToJsonString();
    }
}
