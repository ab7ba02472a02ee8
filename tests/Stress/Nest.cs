namespace Serve.Stress;

/// <summary>An actor in a worker that makes another one and passes its calls on to it. Made again, it makes that one again; the one before it ends with its handle.</summary>
/// <param name="folder">Where the other one keeps its journal.</param>
/// <param name="number">The journal's number.</param>
/// <param name="isolation">Where the other one lives.</param>
[Remote]
internal sealed class Nest(string folder, int number, Isolation isolation)
{
    private ActorHandle<Ledger>? _inner;

    /// <summary>Answers with the call when the other one has noted it.</summary>
    public async Task<int> Note(int call)
    {
        _inner ??= Cluster.Current.Ledger.Options(new() { Isolation = isolation, MaxRestarts = -1, MaxTaskRetries = -1 }).Remote(folder, number);
        await _inner.Note.Remote(call);
        return call;
    }
}
