using System.Globalization;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Requests that stay in progress until they are released, with the processes that serve them.</summary>
internal sealed class InFlightRequests
{
    private readonly string _folder;

    private InFlightRequests(string folder, List<Task<HttpResponseMessage>> responses)
    {
        _folder = folder;
        Responses = responses;
    }

    public List<Task<HttpResponseMessage>> Responses { get; }

    /// <summary>Ids of the serving processes, unordered.</summary>
    public List<int> Processes => [.. Files().Select(file => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture))];

    /// <summary>Sends requests and waits until all of them are in progress.</summary>
    public static async Task<InFlightRequests> SendAsync(TestNodeProcess node, int count, string name = "patient")
    {
        var folder = Directory.CreateDirectory(node.Scratch.In($"held-{Guid.NewGuid():N}")).FullName;
        var held = new InFlightRequests(folder, [.. Enumerable.Range(0, count).Select(_ => node.Gateway.GetAsync($"/{name}/held?folder={Uri.EscapeDataString(folder)}"))]);
        await Eventually.TrueAsync(
            () => Task.FromResult(held.Files().Count(file => new FileInfo(file).Length > 0) == count),
            () => $"{count} requests being served, but {held.Files().Length}; answered: {string.Join(", ", held.Responses.Where(each => each.IsCompleted).Select(each => each.Status))}\n{node.Process}");
        return held;
    }

    public void Release() => File.WriteAllText(Path.Combine(_folder, "go"), "");

    private string[] Files() => Directory.GetFiles(_folder, "held-*");
}
