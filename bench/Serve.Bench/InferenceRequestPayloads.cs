using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Bench;

/// <summary>Inference requests with one input of floats, in the formats of the contestants.</summary>
/// <param name="folder">Folder of the files.</param>
/// <param name="input">The input's name.</param>
/// <param name="shape">Its shape.</param>
internal sealed class InferenceRequestPayloads(string folder, string input, params int[] shape)
{
    // Values like those of images: 0 to 255 divided by 255, with up to eleven digits in JSON.
    private readonly float[] _values = [.. Enumerable.Range(0, shape.Aggregate(1, (product, length) => product * length)).Select(index => index * 7919 % 256 / 255f)];

    private string Shape => string.Join(",", shape);

    /// <summary>JSON of the Open Inference Protocol.</summary>
    public HttpRequestPayload Json() => Write("json", "application/json", Encoding.UTF8.GetBytes(
        $$"""{"inputs":[{"name":"{{input}}","shape":[{{Shape}}],"datatype":"FP32","data":[{{Text()}}]}]}"""), null);

    /// <summary>Binary extension of the protocol, also for the response.</summary>
    public HttpRequestPayload Binary()
    {
        var head = Encoding.UTF8.GetBytes(
            $$$"""{"inputs":[{"name":"{{{input}}}","shape":[{{{Shape}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{_values.Length * sizeof(float)}}}}}],"parameters":{"binary_data_output":true}}""");
        return Write("binary", "application/octet-stream", [.. head, .. MemoryMarshal.AsBytes<float>(_values)], head.Length);
    }

    /// <summary>Only the floats.</summary>
    public HttpRequestPayload Raw() => Write("raw", "application/octet-stream", MemoryMarshal.AsBytes<float>(_values).ToArray(), null);

    private string Text() => string.Join(",", _values.Select(value => value.ToString(CultureInfo.InvariantCulture)));

    private HttpRequestPayload Write(string form, string type, byte[] body, int? jsonLength)
    {
        var file = Path.Combine(folder, $"{input}-{_values.Length}.{form}");
        File.WriteAllBytes(file, body);
        return new(file, type, jsonLength);
    }
}
