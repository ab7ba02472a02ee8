// An object is put once and got as often as one likes.
//
//     dotnet run -c Release samples/core/05-put-get.cs

await using var ray = await Cluster.Init();

ObjectRef<string> example = ray.Put("example");
Console.WriteLine(await ray.Get(example));
