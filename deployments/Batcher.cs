// Dynamic batching: callers send one review each, the method gets them as lists of those that came at about the same time.
using System.Runtime.CompilerServices;
using Serve;

[Deployment]
public sealed class Batcher
{
    // curl -d '{"text":"a sunny day"}' -H 'Content-Type: application/json' http://127.0.0.1:8000/Batcher
    [Batch(MaxBatchSize = 32, BatchWaitTimeout = "5ms")]
    public async Task<Mood[]> Call(IReadOnlyList<Review> reviews)
    {
        await Task.Delay(10);   // what a model costs, however many texts it is given
        return [.. reviews.Select(review => new Mood(review.Text.Contains("sun", StringComparison.OrdinalIgnoreCase) ? "bright" : "dark", reviews.Count))];
    }

    // One bad item fails alone.
    [Batch(MaxBatchSize = 32, Adaptive = true), HttpGet("/square-root/{number}")]
    public BatchResult<double>[] Root(IReadOnlyList<double> number) =>
        [.. number.Select(x => x >= 0 ? Math.Sqrt(x) : (BatchResult<double>)BatchResult.Fail(new BadInputException($"{x} has no real root.")))];

    // Each step has the next word of each text; a text without more words has ended.
    [Batch(MaxBatchSize = 8), HttpGet("/words")]
    public async IAsyncEnumerable<BatchResult<string>[]> Words([FromQuery] IReadOnlyList<string> text, [EnumeratorCancellation] CancellationToken stop)
    {
        var words = text.Select(each => each.Split(' ')).ToArray();
        for (var step = 0; step < words.Max(each => each.Length); step++)
        {
            await Task.Delay(20, stop);
            yield return [.. words.Select(each => step < each.Length ? each[step] : (BatchResult<string>)BatchResult.End)];
        }
    }
}

public sealed record Review(string Text);

public sealed record Mood(string Name, int Among);
