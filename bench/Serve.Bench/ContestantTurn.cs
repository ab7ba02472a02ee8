namespace Serve.Bench;

/// <summary>Who is asked, with what.</summary>
/// <param name="Name">How it is called in the table.</param>
/// <param name="Server">Its process.</param>
/// <param name="Path">Where requests go.</param>
/// <param name="Payload">What is sent.</param>
internal sealed record ContestantTurn(string Name, BenchContestant Server, string Path, HttpRequestPayload Payload)
{
    public Uri Url => new($"http://127.0.0.1:{Server.Port}{Path}");
}
